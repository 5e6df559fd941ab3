package schema

func (c *Cluster) check() Mistakes { return nil }
