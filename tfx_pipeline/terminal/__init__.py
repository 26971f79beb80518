"""What a person sees in the terminal: lines, progress, and failures in words."""
