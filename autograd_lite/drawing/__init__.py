"""Pictures of graphs: what is drawn, where it stands, and how it is written as SVG and HTML."""
