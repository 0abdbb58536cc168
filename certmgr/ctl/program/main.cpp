#include "certmgr/ctl/command_line.h"

int main(int argc, char** argv) {
    return certmgr::ctl::run(argc, argv);
}
