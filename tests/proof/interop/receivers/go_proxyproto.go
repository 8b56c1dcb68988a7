// go-proxyproto, which says what it was told. Usage: PORT
package main

import (
	"fmt"
	"net"
	"os"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
)

var names = map[proxyproto.PP2Type]string{
	proxyproto.PP2_TYPE_ALPN:      "alpn",
	proxyproto.PP2_TYPE_AUTHORITY: "authority",
	0x05:                          "unique_id",
}

func words(addr net.Addr, host, port string) string {
	name, number, err := net.SplitHostPort(addr.String())
	if err != nil { // a path
		return fmt.Sprintf("%s=%s", host, addr)
	}
	return fmt.Sprintf("%s=%s %s=%s", host, name, port, number)
}

func ends(conn net.Conn) string {
	return words(conn.RemoteAddr(), "src", "sport") + " " + words(conn.LocalAddr(), "dst", "dport")
}

func tlvs(conn net.Conn) (text string) {
	header := conn.(*proxyproto.Conn).ProxyHeader()
	if header == nil {
		return
	}
	list, _ := header.TLVs()
	for _, tlv := range list {
		if name, isKnown := names[tlv.Type]; isKnown {
			text += fmt.Sprintf(" %s=%s", name, tlv.Value)
		}
	}
	return
}

func answer(conn net.Conn) {
	defer conn.Close()
	// Only after a read is it known whether the header was taken.
	if _, err := conn.Read(make([]byte, 4096)); err == nil {
		fmt.Fprintln(conn, ends(conn)+tlvs(conn))
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	require := func(net.Addr) (proxyproto.Policy, error) { return proxyproto.REQUIRE, nil }
	proxied := &proxyproto.Listener{Listener: listener, ReadHeaderTimeout: 2 * time.Second, Policy: require}
	for {
		if conn, err := proxied.Accept(); err == nil {
			go answer(conn)
		}
	}
}
