"""Input that is damaged, odd or too large: cases that once went wrong, and a fuzzer."""
