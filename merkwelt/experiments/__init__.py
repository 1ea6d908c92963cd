"""The experiments of Linsley & Serre (2023): one function, one command and one report each."""
