// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.IDN;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * One end of a TLS connection by OpenJDK's JSSE, as a plain program uses it: the same jobs and
 * answers as end.c. CODE is made of the exceptions' classes and the CertPathValidator's reason and
 * index, of their texts only where there is nothing else.
 */
public final class End {
    private static final int WAIT = 8000;
    private static final ExecutorService pool = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    });

    private static synchronized void say(String... fields) {
        StringBuilder line = new StringBuilder();
        for (String field : fields)
            line.append(line.length() == 0 ? "" : "\t").append(
                field == null ? "" : field.replaceAll("[\\p{Cntrl}]+", " "));
        PrintStream out = System.out;
        out.println(line);
        out.flush();
    }

    /** The innermost reason that has a meaning of its own. */
    private static String code(Throwable thrown) {
        String found = "other:" + thrown.getMessage();
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            String name = t.getClass().getSimpleName();
            String text = String.valueOf(t.getMessage());
            if (t instanceof CertPathValidatorException) {
                CertPathValidatorException e = (CertPathValidatorException) t;
                found = "path:" + e.getReason() + "@" + e.getIndex();
                if (e.getReason() == CertPathValidatorException.BasicReason.UNSPECIFIED)
                    found = "path:" + text;
            } else if (name.equals("SunCertPathBuilderException")) {
                found = "builder";
            } else if (name.equals("CertificateExpiredException") || name.equals("CertificateNotYetValidException")) {
                if (!found.startsWith("path:"))
                    found = name;
            } else if (name.equals("ValidatorException")) {
                found = "validator:" + text;
            } else if (t instanceof GeneralSecurityException && t.getCause() == null) {
                found = found.startsWith("path:") ? found : name + ":" + text;
            } else if (text.startsWith("Received fatal alert: ")) {
                found = "alert:" + text.substring("Received fatal alert: ".length());
            } else if (text.equals("Empty client certificate chain") || text.equals("Empty server certificate chain")) {
                found = "empty";
            }
        }
        return found;
    }

    private static Collection<? extends Certificate> certificates(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
    }

    private static PrivateKey key(String path) throws Exception {
        String pem = Files.readString(Path.of(path));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]*-----", ""));
        for (String kind : new String[] { "EC", "RSA", "EdDSA" })
            try {
                return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                continue;
            }
        throw new GeneralSecurityException("no such key: " + path);
    }

    private static KeyManagerFactory keys(Map<String, String> job) throws Exception {
        KeyStore store = KeyStore.getInstance("JKS"); // takes any chain, PKCS12 a good one alone
        store.load(null, null);
        Certificate[] chain = certificates(job.get("chain")).toArray(new Certificate[0]);
        store.setKeyEntry("key", key(job.get("key")), new char[0], chain);
        KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
        factory.init(store, new char[0]);
        return factory;
    }

    private static TrustManager[] trust(Map<String, String> job) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int alias = 0;
        for (Certificate cert : certificates(job.get("ca")))
            store.setCertificateEntry("ca" + alias++, cert);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        if (job.get("crl") == null) {
            factory.init(store);
            return factory.getTrustManagers();
        }
        Collection<? extends CRL> lists;
        try (InputStream in = new FileInputStream(job.get("crl"))) {
            lists = CertificateFactory.getInstance("X.509").generateCRLs(in);
        }
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(store, new X509CertSelector());
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
        PKIXRevocationChecker checker =
            (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
        parameters.addCertPathChecker(checker);
        factory.init(new CertPathTrustManagerParameters(parameters));
        return factory.getTrustManagers();
    }

    /** Judges nobody. */
    private static final TrustManager[] anybody = { new X509ExtendedTrustManager() {
        @Override public void checkClientTrusted(X509Certificate[] chain, String type) { }
        @Override public void checkServerTrusted(X509Certificate[] chain, String type) { }
        @Override public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) { }
        @Override public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) { }
        @Override public void checkClientTrusted(X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) { }
        @Override public void checkServerTrusted(X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) { }
        @Override public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    } };

    private static SSLContext context(Map<String, String> job) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        boolean judges = job.get("ca") != null && !"none".equals(job.get("verify"));
        context.init(job.get("chain") == null ? null : keys(job).getKeyManagers(),
                     judges ? trust(job) : anybody, null);
        return context;
    }

    private static String[] versions(Map<String, String> job) {
        return new String[] { "1.2".equals(job.get("tls")) ? "TLSv1.2" : "TLSv1.3" };
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int c; (c = in.read()) != -1 && c != '\n';)
            if (c != '\r')
                text.append((char) c);
        return text.toString();
    }

    private static void dial(String id, Map<String, String> job) {
        try {
            SSLContext context = context(job);
            Socket plain = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(job.get("port")));
            plain.setSoTimeout(WAIT);
            try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, job.get("name"), plain.getPort(), true)) {
                SSLParameters parameters = socket.getSSLParameters();
                if ("full".equals(job.get("verify")))
                    parameters.setEndpointIdentificationAlgorithm("HTTPS");
                parameters.setProtocols(versions(job));
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                socket.getOutputStream().write("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                String answer = line(socket.getInputStream());
                if (answer.contains(" 200 "))
                    say(id, "client", "accepted", "", "");
                else
                    say(id, "client", "refused", answer.isEmpty() ? "closed" : "answer:" + answer.split(" ")[1], answer);
            }
        } catch (Exception e) {
            say(id, "client", "refused", code(e), e.toString());
        }
    }

    private static void answer(String id, SSLServerSocket listener) {
        try (listener; SSLSocket socket = (SSLSocket) listener.accept()) {
            socket.setSoTimeout(WAIT);
            socket.startHandshake();
            while (true) {
                String text = line(socket.getInputStream());
                if (text.isEmpty())
                    break;
            }
            socket.getOutputStream().write("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n".getBytes(StandardCharsets.US_ASCII));
            say(id, "server", "accepted", "", "");
        } catch (Exception e) {
            say(id, "server", "refused", code(e), e.toString());
        }
    }

    private static void serve(String id, Map<String, String> job) {
        try {
            SSLContext context = context(job);
            SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 8, InetAddress.getLoopbackAddress());
            listener.setEnabledProtocols(versions(job));
            if ("required".equals(job.get("auth")))
                listener.setNeedClientAuth(true);
            else if ("optional".equals(job.get("auth")))
                listener.setWantClientAuth(true);
            say(id, "listening", String.valueOf(listener.getLocalPort()));
            pool.execute(() -> answer(id, listener));
        } catch (Exception e) {
            say(id, "server", "refused", "own:" + e, "");
        }
    }

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String text; (text = in.readLine()) != null;) {
            String[] fields = text.split("\t");
            Map<String, String> job = new HashMap<>();
            for (int i = 2; i < fields.length; i++) {
                int at = fields[i].indexOf('=');
                job.put(fields[i].substring(0, at), fields[i].substring(at + 1));
            }
            if (fields[0].equals("serve"))
                serve(fields[1], job);
            else
                pool.execute(() -> dial(fields[1], job));
        }
        System.exit(0);
    }
}
