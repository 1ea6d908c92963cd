"""Networks whose memory is a state: ConvGRU and hGRU."""
