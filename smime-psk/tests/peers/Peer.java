import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.Key;
import java.security.Security;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientOperator;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKEKRecipient;
import org.bouncycastle.cms.jcajce.JceKEKRecipientInfoGenerator;
import org.bouncycastle.jcajce.io.CipherInputStream;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.InputAEADDecryptor;
import org.bouncycastle.operator.OutputAEADEncryptor;

/** Lines of "seal ALGORITHM IN OUT" and "open ALGORITHM IN OUT"; the key is 16 octets of 7. */
public class Peer {
    public static void main(String[] lines) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        byte[] octets = new byte[16];
        java.util.Arrays.fill(octets, (byte) 7);
        SecretKeySpec kek = new SecretKeySpec(octets, "AES");
        for (String line : lines) {
            String[] word = line.split(" ");
            byte[] in = Files.readAllBytes(Path.of(word[2]));
            byte[] out = word[0].equals("seal") ? seal(kek, word[1], in) : open(kek, in);
            Files.write(Path.of(word[3]), out);
        }
    }

    static byte[] seal(SecretKeySpec kek, String algorithm, byte[] content) throws Exception {
        ASN1ObjectIdentifier oid =
            (ASN1ObjectIdentifier) CMSAlgorithm.class.getField(algorithm).get(null);
        CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(
            new JceKEKRecipientInfoGenerator("id".getBytes(), kek).setProvider("BC"));
        OutputAEADEncryptor encryptor =
            (OutputAEADEncryptor) new JceCMSContentEncryptorBuilder(oid).setProvider("BC").build();
        return generator.generate(new CMSProcessableByteArray(content), encryptor).getEncoded();
    }

    static byte[] open(SecretKeySpec kek, byte[] message) throws Exception {
        CMSAuthEnvelopedData data = new CMSAuthEnvelopedData(message);
        RecipientInformation recipient = data.getRecipientInfos().iterator().next();
        return recipient.getContent(new Recipient(kek).setProvider("BC"));
    }

    /** BouncyCastle has this for public keys only; its parts it has for all. */
    static class Recipient extends JceKEKRecipient {
        Recipient(SecretKey kek) {
            super(kek);
        }

        public RecipientOperator getRecipientOperator(
            AlgorithmIdentifier wrap, AlgorithmIdentifier content, byte[] wrapped)
            throws CMSException {
            try {
                Key key = extractSecretKey(wrap, content, wrapped);
                String oid = content.getAlgorithm().getId();
                AlgorithmParameters parameters = AlgorithmParameters.getInstance(oid, "BC");
                parameters.init(content.getParameters().toASN1Primitive().getEncoded());
                Cipher cipher = Cipher.getInstance(oid, "BC");
                cipher.init(Cipher.DECRYPT_MODE, key, parameters);
                return new RecipientOperator(new Decryptor(content, cipher));
            } catch (Exception e) {
                throw new CMSException("recipient", e);
            }
        }
    }

    static class Decryptor implements InputAEADDecryptor {
        final AlgorithmIdentifier algorithm;
        final Cipher cipher;

        Decryptor(AlgorithmIdentifier algorithm, Cipher cipher) {
            this.algorithm = algorithm;
            this.cipher = cipher;
        }

        public AlgorithmIdentifier getAlgorithmIdentifier() {
            return algorithm;
        }

        public InputStream getInputStream(InputStream data) {
            return new CipherInputStream(data, cipher);
        }

        public OutputStream getAADStream() {
            return new OutputStream() {
                public void write(int octet) {
                    cipher.updateAAD(new byte[] {(byte) octet});
                }
            };
        }

        public byte[] getMAC() {
            return new byte[0];
        }
    }
}
