// SPDX-License-Identifier: Apache-2.0

// end - one end of a TLS connection by Go's crypto/tls, as a plain program uses it: the same jobs
// and answers as end.c. CODE is the name of the error's type with its reason, or alert:TEXT.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

const wait = 8 * time.Second

var out sync.Mutex

type job map[string]string

func say(id string, rest ...string) {
	out.Lock()
	defer out.Unlock()
	for i := range rest {
		rest[i] = strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, rest[i])
	}
	fmt.Println(id + "\t" + strings.Join(rest, "\t"))
}

// code names what a verification found by type and reason, never by its text.
func code(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var critical x509.UnhandledCriticalExtension
	var insecure x509.InsecureAlgorithmError
	var operation *net.OpError
	switch {
	case errors.As(err, &invalid):
		return fmt.Sprintf("invalid:%d:%s%s", invalid.Reason, place(invalid.Cert), side(invalid.Detail))
	case errors.As(err, &unknown):
		if strings.Contains(err.Error(), "possibly because of") {
			return "unknown-authority:" + hint(err.Error())
		}
		return "unknown-authority"
	case errors.As(err, &host):
		return "hostname"
	case errors.As(err, &critical):
		return "critical"
	case errors.As(err, &insecure):
		return "insecure"
	case errors.As(err, &operation) && operation.Op == "remote error":
		return "alert:" + operation.Err.Error()
	case errors.Is(err, io.EOF):
		return "closed"
	}
	return "other:" + err.Error()
}

// hint is what Go says of the candidate that it passed over.
func hint(text string) string {
	_, text, _ = strings.Cut(text, "possibly because of \"")
	text, _, _ = strings.Cut(text, "\"")
	return text
}

// side is on which side of its dates a certificate is.
func side(detail string) string {
	switch {
	case strings.Contains(detail, " is after "):
		return ":after"
	case strings.Contains(detail, " is before "):
		return ":before"
	}
	return ""
}

// place is where on the path a certificate stands, as far as it tells by itself.
func place(cert *x509.Certificate) string {
	if cert == nil {
		return "?"
	}
	if string(cert.RawSubject) == string(cert.RawIssuer) {
		return "self"
	}
	if cert.IsCA {
		return "ca"
	}
	return "leaf"
}

func pool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + path)
	}
	return pool, nil
}

func (j job) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}
	if j["tls"] == "1.2" {
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	}
	if j["chain"] != "" {
		pair, err := tls.LoadX509KeyPair(j["chain"], j["key"])
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if j["ca"] == "" {
		return config, nil
	}
	anchors, err := pool(j["ca"])
	config.RootCAs, config.ClientCAs = anchors, anchors
	return config, err
}

// withoutName is what the documentation of InsecureSkipVerify gives for leaving the name alone.
func withoutName(config *tls.Config) {
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		options := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
}

func failed(id, side string, err error) {
	say(id, side, "refused", code(err), err.Error())
}

func dial(id string, j job) {
	config, err := j.config()
	if err != nil {
		say(id, "client", "refused", "own:"+err.Error(), "")
		return
	}
	config.ServerName = j["name"]
	switch j["verify"] {
	case "none":
		config.InsecureSkipVerify = true
	case "ca":
		withoutName(config)
	}
	dialer := net.Dialer{Timeout: wait}
	conn, err := tls.DialWithDialer(&dialer, "tcp", "127.0.0.1:"+j["port"], config)
	if err != nil {
		failed(id, "client", err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(wait))
	io.WriteString(conn, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		failed(id, "client", err)
		return
	}
	if !strings.Contains(line, " 200 ") {
		say(id, "client", "refused", "answer:"+strings.Fields(line + " - -")[1], line)
		return
	}
	say(id, "client", "accepted", "", "")
}

func answer(conn net.Conn, config *tls.Config) error {
	conn.SetDeadline(time.Now().Add(wait))
	secure := tls.Server(conn, config)
	defer secure.Close()
	if err := secure.Handshake(); err != nil {
		return err
	}
	reader := bufio.NewReader(secure)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return err
		}
		if line == "\r\n" {
			break
		}
	}
	_, err := io.WriteString(secure, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
	return err
}

func serve(id string, j job) {
	config, err := j.config()
	if err != nil {
		say(id, "server", "refused", "own:"+err.Error(), "")
		return
	}
	switch j["auth"] {
	case "required":
		config.ClientAuth = tls.RequireAndVerifyClientCert
	case "optional":
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		say(id, "server", "refused", "own:"+err.Error(), "")
		return
	}
	say(id, "listening", fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
	go func() {
		conn, err := listener.Accept()
		listener.Close()
		if err == nil {
			err = answer(conn, config)
		}
		if err != nil {
			failed(id, "server", err)
			return
		}
		say(id, "server", "accepted", "", "")
	}()
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	var busy sync.WaitGroup
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) < 2 {
			continue
		}
		j := job{}
		for _, field := range fields[2:] {
			key, value, _ := strings.Cut(field, "=")
			j[key] = value
		}
		if fields[0] == "serve" {
			serve(fields[1], j)
			continue
		}
		busy.Add(1)
		go func() {
			defer busy.Done()
			dial(fields[1], j)
		}()
	}
	busy.Wait()
}
