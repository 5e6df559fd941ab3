package finding

// The IDs of what volumes have to do with the cluster's NFS server.
const (
	NotAShare       ID = "not-a-share"
	ShareMismatch   ID = "share-mismatch"
	ShareReadOnly   ID = "share-read-only"
	VolumeElsewhere ID = "volume-elsewhere"
)

// shareMistakes are about volumes that no task could use.
func shareMistakes() []Kind {
	return []Kind{
		{
			ID:    NotAShare,
			Title: "a volume is on a share that the cluster does not have",
			Why:   "The NFS server exports what services.nfs.shares names, and nothing else.",
			Way:   "Correct the name, or add services: nfs: shares: NAME: mode: \"read-write\".",
		},
		{
			ID:    ShareMismatch,
			Title: "a volume of a Compose file asks the cluster's NFS server for what it does not export",
			Why:   "Docker hands the options to the kernel when a task starts: with a directory, a version or an address that the server does not have the task is rejected, on each node, again and again.",
			Way:   "Drop driver_opts and say stacks: NAME: volumes: VOLUME: share: \"...\", which writes them; or correct them as the message says.",
		},
		{
			ID:    ShareReadOnly,
			Title: "a service writes into a volume that is read-only",
			Why:   "Every write fails, mostly in the middle of the service's start: Read-only file system.",
			Way:   "Add read_only: true to the mount where the service only reads, or let the share be written to: services: nfs: shares: NAME: mode: \"read-write\".",
		},
	}
}

func shareWarnings() []Kind {
	return []Kind{
		{
			ID:    VolumeElsewhere,
			Title: "a volume is on an NFS server that is not skep's, beside one that is",
			Why:   "The spec does not know the server: nothing checks that it exports the directory, that the nodes reach it, or that it is alive. Tasks wait for such a server when they start.",
			Way:   "Nothing, where the server is yours and looked after: waive the finding with a reason. Or keep the volume on a share: stacks: NAME: volumes: VOLUME: share: \"...\".",
		},
	}
}
