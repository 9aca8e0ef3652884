"""The desk: "My shift", and the pages that show a seizure and an exhibit with everything that belongs to them."""
