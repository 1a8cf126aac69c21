from stratune.cli import main

main()
