"""What serves the explorer: its notebook, and a room of learners."""
