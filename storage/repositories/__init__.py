"""One repository per noun. Each is bound to a session or to none; none of them ever commits."""
