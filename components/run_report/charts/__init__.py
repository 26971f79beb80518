"""Charts as inline SVG: text stays text, colours follow the page, nothing is loaded."""
