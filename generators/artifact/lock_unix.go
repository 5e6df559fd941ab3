//go:build unix

package artifact

import (
	"errors"
	"os"
	"syscall"
)

var errLocked = errors.New("locked")

// lock keeps two writes apart; the kernel releases it when the process ends, however it ends.
func lock(root *os.Root) (unlock func() error, err error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil && !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.ENOLCK) {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // some file systems know no locks: one writer at a time is then up to the user
}
