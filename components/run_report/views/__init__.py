"""From the figures of a run to what each section of the page says and draws."""
