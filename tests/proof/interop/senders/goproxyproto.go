// Sends a header that go-proxyproto made, then five bytes, and prints what
// comes back. Usage: PORT KIND
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"

	proxyproto "github.com/pires/go-proxyproto"
)

var (
	tcp4    = &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 1111}
	tcp4to  = &net.TCPAddr{IP: net.ParseIP("198.51.100.1"), Port: 443}
	tcp6    = &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1111}
	tcp6to  = &net.TCPAddr{IP: net.ParseIP("2001:db8::2"), Port: 443}
	udp4    = &net.UDPAddr{IP: net.ParseIP("192.0.2.1"), Port: 1111}
	udp4to  = &net.UDPAddr{IP: net.ParseIP("198.51.100.1"), Port: 443}
	unix    = &net.UnixAddr{Name: "/run/a.sock", Net: "unix"}
	unixto  = &net.UnixAddr{Name: "/run/b.sock", Net: "unix"}
	headers = map[string]*proxyproto.Header{
		"v1-tcp4":  proxyproto.HeaderProxyFromAddrs(1, tcp4, tcp4to),
		"v1-tcp6":  proxyproto.HeaderProxyFromAddrs(1, tcp6, tcp6to),
		"v1-mixed": proxyproto.HeaderProxyFromAddrs(1, tcp6, tcp4to),
		"v1-none":  proxyproto.HeaderProxyFromAddrs(1, nil, nil),
		"v2-tcp4":  proxyproto.HeaderProxyFromAddrs(2, tcp4, tcp4to),
		"v2-tcp6":  proxyproto.HeaderProxyFromAddrs(2, tcp6, tcp6to),
		"v2-mixed": proxyproto.HeaderProxyFromAddrs(2, tcp6, tcp4to),
		"v2-udp4":  proxyproto.HeaderProxyFromAddrs(2, udp4, udp4to),
		"v2-unix":  proxyproto.HeaderProxyFromAddrs(2, unix, unixto),
		"v2-none":  proxyproto.HeaderProxyFromAddrs(2, nil, nil),
		"v2-tlvs":  withTLVs(proxyproto.HeaderProxyFromAddrs(2, tcp4, tcp4to)),
	}
)

func withTLVs(header *proxyproto.Header) *proxyproto.Header {
	must(header.SetTLVs([]proxyproto.TLV{
		{Type: proxyproto.PP2_TYPE_AUTHORITY, Value: []byte("sni.example")},
		{Type: 0xe0, Value: []byte("custom")},
	}))
	return header
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func main() {
	conn, err := net.Dial("tcp", "127.0.0.1:"+os.Args[1])
	must(err)
	var bytes bytes.Buffer
	_, err = headers[os.Args[2]].WriteTo(&bytes)
	must(err)
	bytes.WriteString("hello")
	_, err = conn.Write(bytes.Bytes())
	must(err)
	answer := make([]byte, 5)
	_, err = io.ReadFull(conn, answer)
	must(err)
	fmt.Print(string(answer))
}
