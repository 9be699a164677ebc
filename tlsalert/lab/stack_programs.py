"""Programs for stacks that come without a server: each takes its settings from its arguments and serves HTTP."""

from __future__ import annotations

#: For ``node -e``: lowest and highest version, address, port, whether it asks, ciphers, CRL ("" for none).
NODE = """
const tls = require("tls"), fs = require("fs");
const [lowest, highest, host, port, asks, ciphers, crl] = process.argv.slice(1);
const options = {
  key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem"), ca: fs.readFileSync("ca.pem"),
  requestCert: asks !== "no", rejectUnauthorized: asks === "required", minVersion: lowest, maxVersion: highest,
};
if (ciphers) options.ciphers = ciphers;
if (crl) options.crl = fs.readFileSync(crl);
tls.createServer(options, (socket) => {
  socket.on("error", () => {});
  socket.end("HTTP/1.0 204 No Content\\r\\n\\r\\n");
}).on("tlsClientError", () => {}).listen(Number(port), host);
"""

#: For ``java Server.java``: versions with commas between them, address, port, whether it asks.
JAVA = """
import java.io.*;
import java.net.*;
import java.security.KeyStore;
import javax.net.ssl.*;

public class Server {
    public static void main(String[] given) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(KeyStore.getInstance(new File("server.p12"), password), password);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(KeyStore.getInstance(new File("trust.p12"), password));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLServerSocketFactory factory = context.getServerSocketFactory();
        InetAddress here = InetAddress.getByName(given[1]);
        SSLServerSocket listener = (SSLServerSocket) factory.createServerSocket(Integer.parseInt(given[2]), 99, here);
        listener.setNeedClientAuth(given[3].equals("required"));
        if (given[3].equals("optional")) {
            listener.setWantClientAuth(true);
        }
        listener.setEnabledProtocols(given[0].split(","));
        while (true) {
            Socket socket = listener.accept();
            Thread thread = new Thread(() -> serve(socket));
            thread.setDaemon(true);
            thread.start();
        }
    }

    static void serve(Socket socket) {
        try (socket) {
            socket.setSoTimeout(10000);
            socket.getInputStream().read(new byte[1024]);
            socket.getOutputStream().write("HTTP/1.0 204 No Content\\r\\n\\r\\n".getBytes());
        } catch (IOException refused) {
            System.err.println(refused);
        }
    }
}
"""
