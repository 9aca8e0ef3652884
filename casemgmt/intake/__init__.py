"""Registration on one screen: a seizure, its exhibits and their photographs."""
