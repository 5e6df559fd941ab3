package firewall

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"syscall"
)

// burst is frames to send from one interface.
type burst struct {
	Device string
	To     string // MAC address
	Frames [][]byte
}

// injectAgent sends the bursts of its standard input as they are, whatever their source address.
func injectAgent() {
	var bursts []burst
	if err := json.NewDecoder(os.Stdin).Decode(&bursts); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	socket := must(syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0))
	for _, b := range bursts {
		device := must(net.InterfaceByName(b.Device))
		to := must(net.ParseMAC(b.To))
		at := &syscall.SockaddrLinklayer{Ifindex: device.Index, Halen: 6}
		copy(at.Addr[:], to)
		for _, datagram := range b.Frames {
			kind := []byte{0x08, 0x00}
			if datagram[0]>>4 == 6 {
				kind = []byte{0x86, 0xdd}
			}
			frame := append(append(append([]byte{}, to...), device.HardwareAddr...), kind...)
			if err := syscall.Sendto(socket, append(frame, datagram...), 0, at); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}
