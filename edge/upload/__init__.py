"""Handing clips over: to a folder or a service, resumable, with a receipt."""
