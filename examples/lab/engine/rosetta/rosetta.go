// Package rosetta stands for a package that the docker command asks on macOS alone, and that a module proxy need not have.
package rosetta

// Enabled says whether macOS translates this program.
func Enabled() bool { return false }

// NativeArch is the processor below.
func NativeArch() string { return "" }
