"""MongoDB and GridFS behind the ports of core: one implementation, for the embedded database and any replica set."""
