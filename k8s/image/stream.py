"""What spark-submit runs in the driver's pod: the command line of Boreal, such as ``run /etc/boreal/run.yaml``."""

from broker.commands import main

main()
