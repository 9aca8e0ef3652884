"""Looking inside hostile files in a process that can do nothing else. Imports nothing of the application."""
