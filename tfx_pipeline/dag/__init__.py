"""The DAG: which components run, on what; gates, pushing, and what the cache must see."""
