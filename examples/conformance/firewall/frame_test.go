package firewall

import (
	"encoding/binary"
	"net/netip"

	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// protocol numbers on the wire.
const (
	icmp4 = 1
	tcp   = 6
	udp   = 17
	icmp6 = 58
)

// number is the packet's protocol on the wire.
func number(p proof.Packet) byte {
	if p.Proto == "icmp" && p.Src.Is6() {
		return icmp6
	}
	if n, ok := schema.ProtocolNumber(p.Proto); ok {
		return byte(n)
	}
	return map[string]byte{"tcp": tcp, "udp": udp, "icmp": icmp4}[p.Proto]
}

// segment is the transport part of the packet, with its checksum.
func segment(p proof.Packet) []byte {
	var b []byte
	at := -1 // of the checksum
	switch p.Proto {
	case "tcp":
		b = make([]byte, 20)
		b[12], b[13] = 5<<4, 2 // five words, SYN
		binary.BigEndian.PutUint16(b[14:], 1024)
		at = 16
	case "udp":
		b = append(make([]byte, 8), '?') // what a listener answers
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
		at = 6
	case "icmp":
		b = make([]byte, 48)
		b[0] = byte(p.ICMP)
		at = 2
	default:
		b = make([]byte, 24)
		binary.BigEndian.PutUint16(b[2:], 1)
	}
	if p.Proto == "tcp" || p.Proto == "udp" {
		binary.BigEndian.PutUint16(b[2:], p.Port)
	}
	if p.Proto != "icmp" {
		binary.BigEndian.PutUint16(b, p.SrcPort)
	}
	if at >= 0 {
		var pseudo []byte
		if p.Proto != "icmp" || p.Src.Is6() {
			pseudo = append(append(p.Src.AsSlice(), p.Dst.AsSlice()...), 0, 0, 0, byte(len(b)), 0, 0, 0, number(p))
		}
		binary.BigEndian.PutUint16(b[at:], checksum(append(pseudo, b...)))
	}
	return b
}

// datagram is the packet with its IP header.
func datagram(p proof.Packet) []byte {
	payload := segment(p)
	if p.Src.Is6() {
		h := make([]byte, 40)
		h[0] = 6 << 4
		binary.BigEndian.PutUint16(h[4:], uint16(len(payload)))
		h[6], h[7] = number(p), 64
		copy(h[8:], p.Src.AsSlice())
		copy(h[24:], p.Dst.AsSlice())
		return append(h, payload...)
	}
	h := make([]byte, 20)
	h[0], h[8], h[9] = 4<<4|5, 64, number(p)
	binary.BigEndian.PutUint16(h[2:], uint16(len(h)+len(payload)))
	copy(h[12:], p.Src.AsSlice())
	copy(h[16:], p.Dst.AsSlice())
	binary.BigEndian.PutUint16(h[10:], checksum(h))
	return append(h, payload...)
}

// checksum is the one's complement sum of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// mark is what tells the packet from all others of a run: what the probe's sets hold of it.
type mark struct {
	src, dst netip.Addr
	proto    byte
	first    uint16 // half word of the transport header
}

func markOf(p proof.Packet) mark {
	return mark{p.Src, p.Dst, number(p), binary.BigEndian.Uint16(segment(p))}
}
