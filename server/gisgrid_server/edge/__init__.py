"""What stands between the wire and the content: hosts, proxies, keys, encodings, problems."""
