"""Writers of small recordings, one file a format, laid out as the real recorder lays them out; shared by all tests."""
