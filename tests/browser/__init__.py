"""A package, so that its browser ends with it: no other event loop can run in this thread meanwhile."""
