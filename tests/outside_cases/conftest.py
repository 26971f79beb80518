"""Settings of these tests."""

import pyarrow as pa

# Arrow looks for signal handlers at each call from the main thread, which takes a tenth of a
# second in a process that has TensorFlow; the ingestion reads in other threads.
pa.enable_signal_handlers(False)
