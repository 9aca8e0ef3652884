"""Exhibits: what was seized, in one package and under one number, with its quantity and its seal."""
