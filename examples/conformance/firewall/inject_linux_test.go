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

// waitRawAgent waits for a frame with a DHCP answer on eth0, as DHCP clients without an address do.
func waitRawAgent() {
	const all = 0x0300 // ETH_P_ALL, in the order of the network
	socket := must(syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM, all))
	device := must(net.InterfaceByName("eth0"))
	if err := syscall.Bind(socket, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: device.Index}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	timeout := syscall.NsecToTimeval(patience.Nanoseconds())
	_ = syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout)
	buf := make([]byte, 2048)
	for {
		n, _, err := syscall.Recvfrom(socket, buf, 0)
		if err != nil {
			return
		}
		if n > 24 && buf[0]>>4 == 4 && buf[9] == udp && buf[21] == 67 && buf[23] == 68 {
			fmt.Println("answered")
			return
		}
	}
}
