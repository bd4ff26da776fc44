import time

try:
    time.sleep(60)
finally:
    time.sleep(60)
