from tests.cluster.local import LocalProvider
import sys
p=LocalProvider()
print(getattr(p, sys.argv[1])())
