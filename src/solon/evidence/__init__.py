"""Facts gathered before an ML release is judged: measured, scanned and read, each bound to what it is about."""
