"""A plan or a pass as one page that needs nothing but a browser; it shows, and decides nothing."""
