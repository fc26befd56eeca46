"""The course's checks: each judges what a learner wrote, and says in a sentence what is wrong."""
