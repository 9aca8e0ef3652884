"""The subcommands of ``casemgmt`` that no other room owns."""
