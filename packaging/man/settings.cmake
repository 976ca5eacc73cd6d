# cmake -DMBUSD=... -DIN=... -DOUT=... -P settings.cmake: mbusd.toml(5) from its frame and from the table
# of settings inside mbusd, so that the two cannot differ.
execute_process(COMMAND ${MBUSD} --dump-keys scdoc OUTPUT_VARIABLE SETTINGS COMMAND_ERROR_IS_FATAL ANY)
configure_file(${IN} ${OUT} @ONLY)
