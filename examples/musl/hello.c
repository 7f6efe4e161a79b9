#include <stdio.h>

int main(void) {
    puts("Hello from seed!");
    return 0;
}
