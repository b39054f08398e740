/**
 * Runs one Kafka node until standard input ends, so that it never outlives
 * the process that started it. Arguments are those of kafka.Kafka.
 */
public class KafkaNode {
  public static void main(String[] args) throws Exception {
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {
        }
      } catch (java.io.IOException e) {
        e.printStackTrace();
      }
      System.exit(0);
    });
    watch.setDaemon(true);
    watch.start();
    kafka.Kafka.main(args);
  }
}
