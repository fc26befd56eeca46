"""How a heart becomes a scan (Eq. 1), and a file a scan."""
