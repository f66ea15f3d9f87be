"""The task scheduler against round robin: on recorded curves, on drawn ones, and with 10,000 tasks."""
