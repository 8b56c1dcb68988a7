// What go-proxyproto makes of headers: each comes with its length in 4 bytes,
// each answer is a line of JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	proxyproto "github.com/pires/go-proxyproto"
)

// Longest header, so that no limit of a buffer shows.
const longest = 16 + 65535

var families = []string{"UNSPEC", "INET", "INET6", "UNIX"}
var transports = []string{"UNSPEC", "STREAM", "DGRAM"}

func name(names []string, nibble byte) string {
	if int(nibble) < len(names) {
		return names[nibble]
	}
	return strconv.Itoa(int(nibble))
}

func host(ip net.IP) string {
	if ip == nil {
		return "nil"
	}
	return hex.EncodeToString(ip.To16())
}

func end(addr net.Addr) string {
	switch addr := addr.(type) {
	case *net.TCPAddr:
		return fmt.Sprintf("%s %d", host(addr.IP), addr.Port)
	case *net.UDPAddr:
		return fmt.Sprintf("%s %d", host(addr.IP), addr.Port)
	case *net.UnixAddr:
		return hex.EncodeToString([]byte(addr.Name))
	}
	return ""
}

func tlvs(header *proxyproto.Header) string {
	list, err := header.TLVs()
	if err != nil {
		return "malformed"
	}
	var words []string
	for _, tlv := range list {
		words = append(words, fmt.Sprintf("%02x:%x", byte(tlv.Type), tlv.Value))
	}
	return strings.Join(words, " ")
}

func answer(input []byte) map[string]any {
	source := bytes.NewReader(input)
	reader := bufio.NewReaderSize(source, longest)
	header, err := proxyproto.Read(reader)
	if err != nil {
		return map[string]any{"refused": err.Error()}
	}
	facts := map[string]string{
		"length":    strconv.Itoa(len(input) - reader.Buffered() - source.Len()),
		"version":   strconv.Itoa(int(header.Version)),
		"command":   "PROXY",
		"family":    name(families, byte(header.TransportProtocol)>>4),
		"transport": name(transports, byte(header.TransportProtocol)&15),
		"tlvs":      tlvs(header),
	}
	if header.Command.IsLocal() {
		facts["command"] = "LOCAL"
	}
	if from, to := end(header.SourceAddr), end(header.DestinationAddr); header.SourceAddr != nil {
		facts["source"], facts["destination"] = from, to
	}
	return map[string]any{"facts": facts}
}

func main() {
	reader := bufio.NewReader(os.Stdin)
	writer := bufio.NewWriter(os.Stdout)
	defer writer.Flush()
	encoder := json.NewEncoder(writer)
	var length uint32
	for binary.Read(reader, binary.BigEndian, &length) == nil {
		input := make([]byte, length)
		if _, err := io.ReadFull(reader, input); err != nil {
			panic(err)
		}
		if err := encoder.Encode(answer(input)); err != nil {
			panic(err)
		}
	}
}
