"""The service and the nightly job: take clips in, check, weigh, split, publish dataset versions. No torch."""
