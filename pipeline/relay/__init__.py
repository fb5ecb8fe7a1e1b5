"""Order rows that changed become events on the topic and the stream."""
