"""Write-once object storage. Knows nothing of cases; imports nothing of the application."""
