import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.Security;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A server that speaks all that Java still knows, export suites included, and insists on a client certificate. */
public class OldSuites {
    public static void main(String[] arguments) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Security.setProperty("jdk.certpath.disabledAlgorithms", "");
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store("server.p12"), "changeit".toCharArray());
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store("trust.p12"));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        InetAddress here = InetAddress.getByName("127.0.0.1");
        SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 50, here);
        server.setNeedClientAuth(true);
        server.setEnabledProtocols(new String[] {"SSLv3", "TLSv1"});
        server.setEnabledCipherSuites(server.getSupportedCipherSuites());
        System.out.println(server.getLocalPort());
        while (true) {
            try (SSLSocket peer = (SSLSocket) server.accept()) {
                peer.setSoTimeout(5000);
                peer.startHandshake();
                InputStream input = peer.getInputStream();
                while (input.read() >= 0) {
                }
            } catch (java.io.IOException refused) {
                // the next one
            }
        }
    }

    private static KeyStore store(String name) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(name)) {
            store.load(file, "changeit".toCharArray());
        }
        return store;
    }
}
