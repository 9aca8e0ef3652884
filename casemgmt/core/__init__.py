"""What every room of the application uses."""
