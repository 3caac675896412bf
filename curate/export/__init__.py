"""A dataset version in the forms that other trainers read."""
