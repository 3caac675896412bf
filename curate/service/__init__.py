"""The service that takes clips in over HTTP: resumable uploads, identified devices, receipts that hold for ever."""
